"""Every Houdini node type, parameter and menu token that this project uses, and nothing else.

Names were checked against public dumps of Houdini 21.0 and 22.0; a test compares this file with
that fact table, and ``hython -m houdini_pdg doctor`` compares it with a live installation. Menus
are set by token, never by position: the tokens of ``maxprocsmenu`` are 0, -1 and 1.
"""

from __future__ import annotations

SUPPORTED = ("21.0", "22.0")


class JobEnvironment:
    """Variables that PDG sets for the command of a work item (houdini.md 1.12)."""

    ITEM_NAME = "PDG_ITEM_NAME"


class Node:
    TYPE: str


class Topnet(Node):
    TYPE = "topnet"
    SCHEDULER = "topscheduler"
    SAVE_SCENE = "savescenefile"


class PythonProcessor(Node):
    TYPE = "pythonprocessor"
    GENERATE = "generate"


class GenericGenerator(Node):
    TYPE = "genericgenerator"
    COMMAND_KIND = "usedelay"
    COMMAND_KIND_TEXT = "off"
    COMMAND = "pdg_command"
    SHELL = "shellcommand"
    PLATFORM = "platformcommand"
    COUNT = "itemcount"
    OUTPUTS_FROM = "expectedoutputsfrom"
    OUTPUTS_FROM_ATTRIBUTE = "1"
    OUTPUTS_FROM_LIST = "2"
    OUTPUT_ATTRIBUTE = "expectedoutputattr"
    USE_TAG = "useexpectedoutputtag"
    TAG = "expectedoutputtag"
    OUTPUT_COUNT = "expectedoutputfiles"
    OUTPUT_FIRST = "expectedoutputfile1"
    SCHEDULER = "topscheduler"
    CACHE_MODE = "pdg_cachemode"
    GENERATION = "pdg_workitemgeneration"


class WaitForAll(Node):
    TYPE = "waitforall"
    WHEN = "pdg_partitionwhen"
    WHEN_COOKED = "1"
    IGNORE_FAILURES = "pdg_partitionignorefailures"
    MERGE_OUTPUTS = "pdg_partitionmergeoutputs"
    MERGE_NOTHING = "0"


class AnyScheduler(Node):
    """What all four schedulers share."""

    WORKING_DIRECTORY = "pdg_workingdir"
    DELETE_TEMPORARY = "pdg_deletetempdir"
    DELETE_NEVER = "0"
    VALIDATE_OUTPUTS = "pdg_validateoutputs"
    CHECK_EXPECTED = "pdg_checkexpectedoutputs"
    WAIT_FOR_FAILURES = "pdg_waitforfailures"
    USE_MAX_TASKS = "pdg_usemaxtasks"
    MAX_TASKS = "pdg_maxtasks"


class LocalScheduler(AnyScheduler):
    TYPE = "localscheduler"
    SLOTS_KIND = "maxprocsmenu"
    SLOTS_KIND_CUSTOM = "1"
    SLOTS = "maxprocs"
    TEMPORARY = "tempdirmenu"
    TEMPORARY_IN_WORKING_DIRECTORY = "0"
    TEMPORARY_PROCESS_ID = "tempdirappendpid"
    USE_LOG_NAME = "uselogfilename"
    EXIT_HANDLING = "local_echandleby"
    EXIT_ERROR = "0"
    EXIT_RETRY = "2"
    RETRIES = "local_maximumretries"
    USE_TIME_LIMIT = "local_enabletimeout"
    TIME_LIMIT = "local_maxtime"
    UNSET = "local_envunset"
    LIMIT_THREADS = "local_usehoudinimaxthreads"
    THREADS = "local_houdinimaxthreads"


class HQueueScheduler(AnyScheduler):
    TYPE = "hqueuescheduler"
    EXIT_HANDLING = "hqueue_echandleby"
    EXIT_RETRY = "2"
    RETRIES = "hqueue_triesleft"
    USE_TIME_LIMIT = "hqueue_usemaxtime"
    TIME_LIMIT = "hqueue_maxtime"
    INHERIT = "hqueue_inheritlocalenv"
    UNSET = "hqueue_envunset"


class DeadlineScheduler(AnyScheduler):
    TYPE = "deadlinescheduler"
    IGNORE_EXIT = "deadline_ignoreexitcode"
    MACHINES = "deadline_machinelimit"
    INHERIT = "deadline_inheritlocalenv"
    UNSET = "deadline_envunset"


class TractorScheduler(AnyScheduler):
    TYPE = "tractorscheduler"
    EXIT_HANDLING = "tractor_echandleby"
    EXIT_RETRY = "2"
    RETRIES = "tractor_triesleft"
    TIME_LIMIT = "tractor_maxrunsecs"
    INHERIT = "tractor_inheritlocalenv"
    UNSET = "tractor_envunset"


SCHEDULERS: dict[str, type[AnyScheduler]] = {
    "local": LocalScheduler,
    "hqueue": HQueueScheduler,
    "deadline": DeadlineScheduler,
    "tractor": TractorScheduler,
}
NODES: tuple[type[Node], ...] = (
    Topnet,
    PythonProcessor,
    GenericGenerator,
    WaitForAll,
    *SCHEDULERS.values(),
)

_PARAMETER_OF_TOKEN = {
    "COMMAND_KIND_TEXT": "COMMAND_KIND",
    "OUTPUTS_FROM_ATTRIBUTE": "OUTPUTS_FROM",
    "OUTPUTS_FROM_LIST": "OUTPUTS_FROM",
    "WHEN_COOKED": "WHEN",
    "MERGE_NOTHING": "MERGE_OUTPUTS",
    "DELETE_NEVER": "DELETE_TEMPORARY",
    "SLOTS_KIND_CUSTOM": "SLOTS_KIND",
    "TEMPORARY_IN_WORKING_DIRECTORY": "TEMPORARY",
    "EXIT_ERROR": "EXIT_HANDLING",
    "EXIT_RETRY": "EXIT_HANDLING",
}


def parameters(node: type[Node]) -> dict[str, tuple[str, ...]]:
    """Parameter -> tokens that may be set on it (empty for free values), of one node class here."""
    names = [name for name in dir(node) if name.isupper() and name != "TYPE"]
    found: dict[str, tuple[str, ...]] = {}
    for name in names:
        if name not in _PARAMETER_OF_TOKEN:
            tokens = [t for t in names if _PARAMETER_OF_TOKEN.get(t) == name]
            found[getattr(node, name)] = tuple(getattr(node, token) for token in tokens)
    return found
