"""The scheme of the three portraits of political ecology: its rules are data in this folder."""
