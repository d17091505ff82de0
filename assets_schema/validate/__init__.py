"""Check assets with stable codes: every variant combination, in a process that may hang."""

from .codes import CODES as CODES
from .codes import Rule as Rule
from .finding import Finding as Finding
from .finding import Report as Report
from .isolate import validate_isolated as validate_isolated
from .runner import validate_asset as validate_asset
