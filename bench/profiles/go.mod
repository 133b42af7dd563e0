module weir.bench/profiles

go 1.19
