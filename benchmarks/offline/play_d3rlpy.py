"""d3rlpy's DiscreteCQL on arrays of logs; prints the mean return. Run by ``cartpole.py`` in an environment of its own.

python play_d3rlpy.py peer.npz '{"rate": 3e-4, ...}'
"""

from __future__ import annotations

import json
import sys

import d3rlpy
import numpy as np

from benchmarks.offline.play_cartpole import mean_return


def main() -> None:
    """Learn, play, print."""
    arrays, told = dict(np.load(sys.argv[1])), json.loads(sys.argv[2])
    d3rlpy.seed(told["seed"])
    dataset = d3rlpy.dataset.MDPDataset(**arrays)
    algorithm = d3rlpy.algos.DiscreteCQLConfig(
        learning_rate=told["rate"], batch_size=told["batch"], gamma=0.99, n_critics=1,
        target_update_interval=told["sync"], alpha=told["alpha"],
    ).create(device="cpu")  # fmt: skip
    algorithm.fit(
        dataset, n_steps=told["updates"], n_steps_per_epoch=told["updates"], show_progress=False,
        logger_adapter=d3rlpy.logging.NoopAdapterFactory(),
    )  # fmt: skip
    print(mean_return(lambda seen: int(algorithm.predict(seen[None].astype(np.float32))[0])))


if __name__ == "__main__":
    main()
