# The probe of `pachbuild builder test`; docs/authoring-builders.md says what it does.
use strict;
use warnings;

my ($kind, @words) = @ARGV;
if ($kind eq 'arguments') {
    open(my $out, '>:raw', '/pfs/out/arguments') or die "/pfs/out/arguments: $!\n";
    print $out map { "$_\0" } @words;
    close($out) or die "/pfs/out/arguments: $!\n";
} elsif ($kind eq 'exit') {
    exit $words[0];
} elsif ($kind eq 'signal') {
    kill $words[0], $$;
    sleep 60;
}
