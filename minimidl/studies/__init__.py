"""Studies of trained networks: what neurons know, what harms them, how they follow a drift.

    information   what open and closed neurons know about the label
    robustness    noise, blur, false labels, few samples
    plasticity    a drifting stream, with everything frozen but the gates, the rarely open neurons,
                  both or nothing

Each is a function from models, data and seeds to rows; ``minimidl measure`` prints them.
"""
