module netctl.test/pods

go 1.22
