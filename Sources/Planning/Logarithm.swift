internal import Glibc

func logarithm(_ value: Double) -> Double { log10(value) }
