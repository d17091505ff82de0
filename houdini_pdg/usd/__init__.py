"""USD stages composed by reference: room shell, objects, characters, lights, cameras."""
