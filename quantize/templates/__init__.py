"""How is a sentence drawn from a template?

The notation, the sampler, the package's templates, command files and random homes.
"""
