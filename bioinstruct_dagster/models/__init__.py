"""What training and evaluation share: experiments, base models, adapters, prompt, encoding."""
