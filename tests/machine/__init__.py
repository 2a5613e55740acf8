"""A state machine over real databases, against a reference model in plain Python.

`tables`   what each modelled table's rows are made of, written down a second time and without the engine
`model`    what the target must hold after a run, and what must be known of every legacy row
`settled`  what a run that was killed in the middle has got done
`world`    the two databases, the open legacy transactions, and what is looked at
`writes`   what a legacy session may write
`broken`   how a run is killed
`check`    what holds after every run
`undo`     what an undo must do
`legacy_rules`, `target_rules`, `run_rules`, `undo_rules`   what may happen, each a mixin of the machine
`machine`  the machine and its invariants
`soak`     the same for as long as one likes: make soak

One more kind of step is one more mixin, named in `machine.Machine`'s bases; what it changes in the target
and in the state it tells the model through `World.model`. Tests of single behaviours do not belong here: what the machine
finds becomes a test of its own under tests/migration.
"""
