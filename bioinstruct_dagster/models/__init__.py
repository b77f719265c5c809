"""What training and evaluation share: experiments, base models, adapters, prompt, encoding.

Tested by files of the same names; gpu and partitions in test_definitions, process.parent in
test_chain.
"""
