"""The mutation self-check: change one rule of a transform, run the tests of its module, and see that one fails.

`operators` changes rules, `imports` tells which tests belong to a module, `runner` runs them in forked children,
`equivalent` lists the changes that change no rule, `test_mutants` holds a sample in the normal suite, and
`python -m tests.mutation` runs every mutant.
"""
