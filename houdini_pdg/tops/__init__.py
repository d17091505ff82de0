"""The only modules that know Houdini: building, cooking and checking the TOP network."""
