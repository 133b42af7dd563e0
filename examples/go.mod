module weir.example/bugs

go 1.19
