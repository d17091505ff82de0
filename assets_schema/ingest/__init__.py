"""Bring foreign geometry into the library's structure: OBJ, glTF, PLY, STL and any USD."""

from .request import IngestRequest as IngestRequest
from .request import ingest as ingest
