"""What happens before each request: candidates are retrieved, and the viewer is observed."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from livedqn.envs.listing import Listing
from livedqn.envs.observation import Seen, observe
from livedqn.envs.retrieval import AT_ONCE, Race, Served, retrieve
from livedqn.envs.sessions import Sessions
from livedqn.kernel import kernel
from livedqn.types import IntArray


@kernel
def serve(
    rows: IntArray, session: Sessions, listing: Listing, viewers: npt.NDArray[Any], race: Race, served: Served,
    out: Seen,
) -> None:  # fmt: skip
    """Write the candidates of ``rows`` (n,) into ``served`` and what is seen of them into ``out``.

    A few viewers at once: few enough that what was read for their candidates is still at hand for their observation,
    and enough that a processor which has to wait for one viewer's numbers goes on with the next.
    """
    for first in range(0, len(rows), AT_ONCE):
        some = rows[first : first + AT_ONCE]
        retrieve(some, session, listing, viewers, race, served)
        observe(some, session, served, listing, viewers, out)
