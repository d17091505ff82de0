"""A USD asset library with variants: schema, catalogue, validator, ingest, previews, own assets.

Importing the package registers the codeless S4D schemas with USD (see `assets_schema.schema`).
"""

from . import schema as schema
from .catalog import Catalog as Catalog
from .entry import CharacterInfo as CharacterInfo
from .entry import Entry as Entry
from .entry import LightInfo as LightInfo
from .entry import MotionInfo as MotionInfo
from .variants import VariantError as VariantError
from .variants import apply_selection as apply_selection
from .variants import choose_variants as choose_variants
from .variants import complete_selection as complete_selection
from .variants import count_variants as count_variants
from .variants import enumerate_variants as enumerate_variants
from .variants import variants_by_index as variants_by_index
