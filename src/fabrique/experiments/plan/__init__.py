"""A plan: what is tried, on whom, judged by what, decided before the first figure is seen. Pure: documents in, plans or faults out.

`schema` names the parts, `reading` turns a document into a Plan or into every fault at once, `canonical` gives the text that is hashed
at the lock, `advice` sizes a plan and says whether a statistical test is the right tool.
"""
