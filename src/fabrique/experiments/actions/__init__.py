"""What people do to experiments: one function, one transaction, one line in the trail.

`plans` writes, submits, registers and deviates; `collecting` takes figures in; `deciding` looks, analyses and decides; `practices`
keeps what was learnt; `folders` brings whole experiments in.
"""
