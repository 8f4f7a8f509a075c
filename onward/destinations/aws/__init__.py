"""What the destinations at AWS share: signatures, credentials, endpoints, errors, and how requests are split.

They speak the HTTP APIs of AWS through Onward's egress, so that its guard and limits hold for them as well.
"""
