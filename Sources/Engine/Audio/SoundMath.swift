internal import Glibc

func sine(_ angle: Double) -> Float { Float(sin(angle)) }

/// To the hundredth, as meters show it.
func decibels(ofAmplitude amplitude: Double) -> Double { (20 * log10(amplitude) * 100).rounded() / 100 }
