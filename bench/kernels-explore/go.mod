module weir.bench/kernels

go 1.19
