module captures

go 1.21

require github.com/pachyderm/ohmyglob v0.0.0-20210308211843-d5b47775fc36

require github.com/gobwas/glob v0.2.3 // indirect

require github.com/dlclark/regexp2 v1.2.0 // indirect
