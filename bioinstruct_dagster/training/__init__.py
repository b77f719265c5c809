"""Stage 5: LoRA adapters, each trained in a process of its own.

Tested by files of the same names; assets and checks in test_chain and test_definitions.
"""
