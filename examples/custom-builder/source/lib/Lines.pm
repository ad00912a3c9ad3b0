package Lines;

use strict;
use warnings;

# The number of lines of a file, and the length of the longest.
sub measure {
    my ($path) = @_;
    my ($count, $longest) = (0, 0);
    open(my $file, '<:raw', $path) or die "$path: $!\n";
    while (my $line = <$file>) {
        chomp $line;
        $count++;
        $longest = length $line if length $line > $longest;
    }
    close($file);
    return ($count, $longest);
}

1;
