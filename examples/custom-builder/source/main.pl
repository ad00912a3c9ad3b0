# Counts the lines of each table and tells the longest one.
use strict;
use warnings;
use Lines;

my $folder = '/pfs/tables';
opendir(my $entries, $folder) or die "$folder: $!\n";
for my $name (sort grep { !/^\./ } readdir $entries) {
    my ($count, $longest) = Lines::measure("$folder/$name");
    open(my $out, '>', "/pfs/out/$name.txt") or die "/pfs/out/$name.txt: $!\n";
    print $out "$count lines, the longest has $longest bytes\n";
    close($out) or die "/pfs/out/$name.txt: $!\n";
}
