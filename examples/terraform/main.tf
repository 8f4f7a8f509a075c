# A workspace built by Segment's Terraform provider (1.6.0) on Onward: one of each resource that both have.
#
#   export TF_VAR_onward_token=...
#   terraform init && terraform apply

terraform {
  required_providers { segment = { source = "segmentio/segment" } }
}

variable "onward_token" {
  type      = string
  sensitive = true
}

provider "segment" {
  url   = "http://127.0.0.1:8080/api"
  token = var.onward_token
}

data "segment_workspace" "this" {}
data "segment_source_metadata" "js" { id = "IqDTy1TpoU" }
data "segment_destination_metadata" "webhook" { id = "614a3c7d791c91c41bae7599" }
data "segment_destination_metadata" "amplitude" { id = "5f7dd6d21ad74f3842b1fc47" }
data "segment_warehouse_metadata" "pg" { id = "txc4DcC2dT4VLH8c59CHao" }
data "segment_role" "source_admin" { id = "RKNcHdWUYqqi5FkKf2MC1k" }

resource "segment_label" "dev" {
  key         = "environment"
  value       = "dev"
  description = "dev environment"
}

resource "segment_source" "web" {
  slug     = "tf-web"
  name     = "Terraform web"
  enabled  = true
  metadata = { id = data.segment_source_metadata.js.id }
  settings = jsonencode({})
  labels   = [{ key = segment_label.dev.key, value = segment_label.dev.value }]
}

resource "segment_source" "blocked" {
  slug     = "tf-blocked"
  name     = "Terraform blocked"
  enabled  = true
  metadata = { id = data.segment_source_metadata.js.id }
  settings = jsonencode({})
}

resource "segment_destination" "hook" {
  name      = "Webhook"
  enabled   = true
  source_id = segment_source.web.id
  metadata  = { id = data.segment_destination_metadata.webhook.id }
  settings  = jsonencode({ sharedSecret = "change-me" })
}

resource "segment_destination" "amplitude" {
  name      = "Amplitude"
  enabled   = true
  source_id = segment_source.web.id
  metadata  = { id = data.segment_destination_metadata.amplitude.id }
  settings  = jsonencode({ apiKey = "abc", secretKey = "def", endpoint = "north_america" })
}

resource "segment_destination_subscription" "orders" {
  destination_id = segment_destination.hook.id
  name           = "Orders"
  enabled        = true
  action_id      = "tjWzovhsgxPuy8Tg663oPT"
  trigger        = "type = \"track\""
  settings = jsonencode({
    url             = "http://127.0.0.1:9900/x"
    method          = "POST"
    data            = { "@path" = "$.properties" }
    enable_batching = false
  })
}

resource "segment_destination_filter" "sample" {
  if             = "type = \"identify\""
  destination_id = segment_destination.hook.id
  source_id      = segment_source.web.id
  title          = "Identify sample"
  enabled        = true
  description    = "Samples"
  actions        = [{ type = "SAMPLE", percent = 0.05 }]
}

resource "segment_function" "insert" {
  code          = "async function onTrack(event, settings) { return event }"
  display_name  = "Insert it"
  resource_type = "INSERT_DESTINATION"
  description   = "insert"
  settings      = [{ name = "apiKey", label = "api key", type = "STRING", description = "key", required = false, sensitive = true }]
}

resource "segment_function" "dest" {
  code          = "async function onTrack(event, settings) { await fetch('https://example.com') }"
  display_name  = "My function"
  resource_type = "DESTINATION"
  settings      = []
}

resource "segment_insert_function_instance" "i" {
  integration_id = segment_destination.hook.id
  function_id    = segment_function.insert.id
  name           = "Inserted"
  enabled        = false
  settings       = jsonencode({ apiKey = "abc123" })
}

resource "segment_tracking_plan" "plan" {
  name        = "plan"
  type        = "LIVE"
  description = "Plan"
  rules = [{
    key         = "Order Completed"
    type        = "TRACK"
    version     = 1
    json_schema = jsonencode({ properties = { properties = { type = "object", properties = { total = { type = "number" } } } } })
  }]
}

resource "segment_source_tracking_plan_connection" "c" {
  source_id        = segment_source.web.id
  tracking_plan_id = segment_tracking_plan.plan.id
  schema_settings = {
    forwarding_blocked_events_to = segment_source.blocked.id
    track = {
      allow_unplanned_events           = true
      allow_unplanned_event_properties = true
      allow_event_on_violations        = false
      allow_properties_on_violations   = true
      common_event_on_violations       = "ALLOW"
    }
    identify = { allow_traits_on_violations = false, allow_unplanned_traits = false, common_event_on_violations = "ALLOW" }
    group    = { allow_traits_on_violations = true, allow_unplanned_traits = true, common_event_on_violations = "ALLOW" }
  }
}

resource "segment_transformation" "t" {
  source_id                      = segment_source.web.id
  name                           = "Rename"
  enabled                        = true
  if                             = "event = 'Bad Event'"
  new_event_name                 = "Good Event"
  property_renames               = [{ old_name = "old-name", new_name = "new-name" }]
  property_value_transformations = [{ property_paths = ["properties.some-property", "context.some-property"], property_value = "some property value" }]
  fql_defined_properties         = []
}

resource "segment_warehouse" "pg" {
  metadata = { id = data.segment_warehouse_metadata.pg.id }
  enabled  = true
  name     = "PG"
  settings = jsonencode({ hostname = "db", port = "5432", database = "d", username = "u", password = "p" })
}

resource "segment_source_warehouse_connection" "w" {
  source_id    = segment_source.web.id
  warehouse_id = segment_warehouse.pg.id
}

resource "segment_reverse_etl_model" "m" {
  source_id               = segment_source.web.id
  name                    = "Model"
  enabled                 = true
  description             = "Example"
  schedule_strategy       = "SPECIFIC_DAYS"
  query                   = "SELECT good_stuff FROM stuff"
  query_identifier_column = "good_stuff"
  schedule_config         = jsonencode({ days = [0, 1, 2, 3], hours = [0, 1, 3], timezone = "America/Los_Angeles" })
}

resource "segment_user" "u" {
  email       = "bob@example.com"
  permissions = [{ role_id = data.segment_role.source_admin.id, resources = [{ id = data.segment_workspace.this.id, type = "WORKSPACE", labels = [{ key = segment_label.dev.key, value = segment_label.dev.value }] }] }]
}

resource "segment_user_group" "g" {
  name        = "My group"
  permissions = [{ role_id = data.segment_role.source_admin.id, resources = [{ id = data.segment_workspace.this.id, type = "WORKSPACE", labels = [] }] }]
  members     = ["bob@example.com"]
  depends_on  = [segment_user.u]
}
