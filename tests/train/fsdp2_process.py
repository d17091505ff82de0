"""One of several processes that share the weights of a run; started by test_processes.py.

accelerate offers FSDP2 for accelerators alone, though torch shards on CPUs too. So the CPUs count
as accelerators here, and everything else is accelerate's own path.

    RANK=.. WORLD_SIZE=.. python -m tests.train.fsdp2_process ARGUMENTS OF python -m train
"""

from __future__ import annotations

import os
import sys
from typing import Any

import torch
from accelerate import PartialState
from accelerate.utils import DistributedType
from torch.distributed import fsdp

from train.__main__ import main

if __name__ == "__main__":
    torch.set_num_threads(1)
    PartialState(cpu=True).distributed_type = DistributedType.MULTI_GPU
    os.environ |= {"ACCELERATE_USE_FSDP": "true", "FSDP_VERSION": "2"}
    os.environ |= {"FSDP_AUTO_WRAP_POLICY": "TRANSFORMER_BASED_WRAP"}
    fully_shard, units = fsdp.fully_shard, []

    def noted(module: Any, **options: Any) -> Any:
        units.append(type(module).__name__)
        return fully_shard(module, **options)

    fsdp.fully_shard = noted
    status = main(sys.argv[1:])
    print("units:", *units)
    torch.distributed.destroy_process_group()
    sys.exit(status)
