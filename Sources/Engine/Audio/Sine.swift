internal import Glibc

func sine(_ angle: Double) -> Float { Float(sin(angle)) }
