module weir/tools/layoutgen

go 1.19
