module weir.test/programs

go 1.19
