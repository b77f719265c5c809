"""The parts that training and evaluation share: experiments, base models, adapters, prompt."""
