"""Secrets that belong to whoever runs Onward rather than to a destination: a partner's keys.

Some tools want, besides the customer's credentials, those of a registered application: a developer token of
Google Ads, client ids of several. Segment's own stand in its environment, where the packages look for them;
whoever has some of their own sets the same variables for Onward, and the worker gets those by name and no
others.
"""

from collections.abc import Mapping
from pathlib import Path

PARTNER_VARIABLES = (
    "ACTIONS_AMAZON_AMC_CLIENT_ID",
    "ACTIONS_AMAZON_AMC_CLIENT_SECRET",
    "ACTIONS_AMAZON_CONVERSIONS_API_CLIENT_ID",
    "ACTIONS_AMAZON_CONVERSIONS_API_CLIENT_SECRET",
    "ACTIONS_APOLLOIO_AUTH_URL_SECRET",
    "ACTIONS_APOLLOIO_BASE_URL_SECRET",
    "ACTIONS_APOLLOIO_HEADER_SECRET",
    "ACTIONS_DISPLAY_VIDEO_360_CLIENT_ID",
    "ACTIONS_DISPLAY_VIDEO_360_CLIENT_SECRET",
    "ACTIONS_DISPLAY_VIDEO_360_REFRESH_TOKEN",
    "ACTIONS_DYNAMIC_YIELD_AUDIENCES_DEV_CLIENT_SECRET",
    "ACTIONS_DYNAMIC_YIELD_AUDIENCES_EU_CLIENT_SECRET",
    "ACTIONS_DYNAMIC_YIELD_AUDIENCES_US_CLIENT_SECRET",
    "ACTIONS_FB_CAPI_SYSTEM_USER_TOKEN",
    "ACTIONS_FIRST_PARTY_DV360_CLIENT_ID",
    "ACTIONS_FIRST_PARTY_DV360_CLIENT_SECRET",
    "ACTIONS_LINKEDIN_CONVERSIONS_CLIENT_ID",
    "ACTIONS_LINKEDIN_CONVERSIONS_CLIENT_SECRET",
    "ACTIONS_MEMORA_ENV",
    "ACTIONS_MS_BING_ADS_AUDIENCES_DEVELOPER_TOKEN",
    "ACTIONS_YAHOO_AUDIENCES_TAXONOMY_CLIENT_ID",
    "ACTIONS_YAHOO_AUDIENCES_TAXONOMY_CLIENT_SECRET",
    "ADWORDS_DEVELOPER_TOKEN",
    "BRAZE_COHORTS_PARTNER_API_KEY_EU",
    "BRAZE_COHORTS_PARTNER_API_KEY_US",
    "DOTDIGITAL_AUDIENCES_PARTNER_SECRET",
    "GOOGLE_ENHANCED_CONVERSIONS_CLIENT_ID",
    "GOOGLE_ENHANCED_CONVERSIONS_CLIENT_SECRET",
    "SALESFORCE_CLIENT_ID",
    "SALESFORCE_CLIENT_SECRET",
    "SENDGRID_BYPASS_IP_BLOCK_HEADER_SECRET",
)


def worker_environment(environment: Mapping[str, str], cache: Path) -> dict[str, str]:
    """All that the worker's code can see of an environment. `cache`: a folder for Deno's own use."""
    return {
        "DENO_DIR": str(cache),
        "DENO_NO_UPDATE_CHECK": "1",
        "NO_COLOR": "1",
        "TZ": "UTC",
        **{name: environment[name] for name in PARTNER_VARIABLES if environment.get(name)},
    }
