# finish.rb LAYER: links to the programs of gems in bin/, which comes first on PATH, and in boot/ what each start of ruby
# requires: bundler/setup, as `bundle exec` does.
tree = ARGV[0]
%w[bin boot].each { |name| Dir.mkdir("#{tree}/#{name}") }
Dir.glob("#{tree}/gems/ruby/*/bin/*") do |path|
  File.symlink("..#{path.delete_prefix(tree)}", "#{tree}/bin/#{File.basename(path)}")
end
File.write("#{tree}/boot/pachbuild_gems.rb", "require \"bundler/setup\"\n")
