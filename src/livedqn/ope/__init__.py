"""Off-policy evaluation: what a policy would earn, estimated from what another has logged.

``requests`` and ``sessions`` are the estimators, a function an equation; ``evidence`` makes what they take of logs.
"""
