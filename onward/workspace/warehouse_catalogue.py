"""The catalogue of warehouses: what can be synced to, and the settings it takes (spec §14.4).

Slugs are Segment's where it has the warehouse (its documentation's catalogue data, `warehouse.yml`), so are
the settings of the relational ones; of its ids only Redshift's is published.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from onward.workspace.definitions import Action, Preset, SettingField
from onward.workspace.errors import Invalid
from onward.workspace.ids import derived_id


@dataclass(frozen=True)
class WarehouseDefinition:
    slug: str
    name: str
    description: str
    settings: Mapping[str, SettingField]
    own_id: str = ""
    actions: Mapping[str, Action] = field(default_factory=dict)
    presets: Sequence[Preset] = ()
    insert_refusal: str = "it is a warehouse"

    @property
    def id(self) -> str:
        return self.own_id or derived_id("warehouse", self.slug)


def _server(port: str, **more: SettingField) -> dict[str, SettingField]:
    """Of what is reached by host and port, with a user and a password."""
    return {
        "hostname": SettingField(label="Host", description="Name or address of the server.", required=True),
        "port": SettingField(label="Port", description="A number from 1 to 65535.", default=port),
        "database": SettingField(label="Database", required=True),
        "username": SettingField(label="User", required=True),
        "password": SettingField(label="Password", required=True, secret=True),
        **more,
    }


_ALL = (
    WarehouseDefinition(
        "postgres", "Postgres", "PostgreSQL, of one's own or managed by a cloud.", _server("5432")
    ),
    WarehouseDefinition("redshift", "Redshift", "Amazon Redshift.", _server("5439"), own_id="aea3c55dsz"),
    WarehouseDefinition(
        "bigquery",
        "BigQuery",
        "Google BigQuery.",
        {
            "gc-project": SettingField(
                label="Project", description="Id of the Google Cloud project.", required=True
            ),
            "location": SettingField(label="Location", description="Where datasets are made.", default="US"),
            "credentials": SettingField(
                label="Credentials",
                description="Key of a service account, as the JSON that Google gives.",
                required=True,
                secret=True,
            ),
        },
    ),
    WarehouseDefinition(
        "snowflake",
        "Snowflake",
        "Snowflake.",
        {
            "account": SettingField(
                label="Account",
                description="The account's identifier, `organisation-account`.",
                required=True,
            ),
            "warehouse": SettingField(
                label="Warehouse", description="The virtual warehouse that loads.", required=True
            ),
            "database": SettingField(label="Database", required=True),
            "username": SettingField(label="User", required=True),
            "password": SettingField(label="Password", description="Or a private key.", secret=True),
            "privateKey": SettingField(
                label="Private key", description="In PEM, for key-pair authentication.", secret=True
            ),
            "role": SettingField(label="Role", description="The user's default role unless given."),
        },
    ),
    WarehouseDefinition(
        "clickhouse",
        "ClickHouse",
        "ClickHouse, over HTTP.",
        _server("8443", secure=SettingField(label="TLS", type="boolean", description="HTTPS.", default=True)),
    ),
    WarehouseDefinition(
        "databricks",
        "Databricks",
        "Databricks, by a SQL warehouse.",
        {
            "hostname": SettingField(
                label="Host", description="Of the workspace, `….cloud.databricks.com`.", required=True
            ),
            "httpPath": SettingField(
                label="HTTP path", description="Of the SQL warehouse, `/sql/1.0/warehouses/…`.", required=True
            ),
            "catalog": SettingField(label="Catalog", description="Of Unity Catalog.", default="main"),
            "clientId": SettingField(
                label="Client id", description="Of the service principal.", required=True
            ),
            "clientSecret": SettingField(
                label="Client secret", description="Of its OAuth secret.", required=True, secret=True
            ),
        },
    ),
    WarehouseDefinition(
        "duckdb",
        "DuckDB",
        "A DuckDB file on Onward's own machine.",
        {
            "path": SettingField(
                label="File", description="Name of the file, in the data folder.", default="warehouse.duckdb"
            )
        },
    ),
    WarehouseDefinition("azuresqldb", "Azure SQL Database", "Azure SQL Database.", _server("1433")),
    WarehouseDefinition(
        "azuresqldw", "Azure Synapse Analytics", "A dedicated SQL pool of Azure Synapse.", _server("1433")
    ),
    WarehouseDefinition("db2", "IBM Db2 Warehouse", "Db2 Warehouse by IBM.", _server("50001")),
)

WAREHOUSES = {definition.slug: definition for definition in _ALL}
"""Warehouse definitions by slug."""

_BY_ID = {definition.id: definition for definition in _ALL}


def warehouse_definition(key: str) -> WarehouseDefinition:
    """By slug or id; raises `Invalid`."""
    found = WAREHOUSES.get(key) or _BY_ID.get(key)
    if found is None:
        raise Invalid(
            f"the catalogue has no warehouse {key}; there are: {', '.join(WAREHOUSES)}", field="metadataId"
        )
    return found
