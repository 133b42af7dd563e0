module proofrecall

go 1.22
