internal import Glibc

func logarithm(_ value: Double) -> Double { log10(value) }

func naturalLogarithm(_ value: Double) -> Double { log(value) }

func power(_ base: Double, _ exponent: Double) -> Double { pow(base, exponent) }
