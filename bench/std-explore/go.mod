module weir.bench/stdexplore

go 1.19
