using Drive.Backup.Patterns;

namespace Drive.Backup.Tests.Patterns;

public sealed class IgnoreRulesTests
{
    /// <summary>From gitignore(5) and gitignore's own tests: a pattern, a path (a folder's ends in a slash), and whether that is left out.</summary>
    [Theory]
    [InlineData("foo", "foo", true)]
    [InlineData("foo", "a/foo", true)]
    [InlineData("foo", "foo/", true)]
    [InlineData("foo", "foobar", false)]
    [InlineData("foo/", "foo", false)]
    [InlineData("foo/", "foo/", true)]
    [InlineData("foo/", "a/foo/", true)]
    [InlineData("/foo", "foo", true)]
    [InlineData("/foo", "a/foo", false)]
    [InlineData("doc/frotz", "doc/frotz", true)]
    [InlineData("doc/frotz", "a/doc/frotz", false)]
    [InlineData("doc/frotz/", "doc/frotz/", true)]
    [InlineData("foo/*", "foo/test.json", true)]
    [InlineData("foo/*", "foo/bar/hello.c", false)]
    [InlineData("*.o", "a/b.o", true)]
    [InlineData("a/*.o", "a/b/c.o", false)]
    [InlineData("**/foo", "foo", true)]
    [InlineData("**/foo", "a/b/foo", true)]
    [InlineData("**/foo/bar", "a/foo/bar", true)]
    [InlineData("**/foo/bar", "foo/a/bar", false)]
    [InlineData("abc/**", "abc/d/e", true)]
    [InlineData("abc/**", "abc/", false)]
    [InlineData("a/**/b", "a/b", true)]
    [InlineData("a/**/b", "a/x/y/b", true)]
    [InlineData("a/**/b", "ab", false)]
    [InlineData("a/**b", "a/x/b", false)]
    [InlineData("a/**b", "a/xb", true)]
    [InlineData("f?o", "fxo", true)]
    [InlineData("a/f?o", "a/f/o", false)]
    [InlineData("[a-c]x", "bx", true)]
    [InlineData("[!a-c]x", "bx", false)]
    [InlineData("[^a-c]x", "dx", true)]
    [InlineData("[]-]x", "]x", true)]
    [InlineData("[]-]x", "-x", true)]
    [InlineData("[[:digit:]]", "7", true)]
    [InlineData("[[:digit:]]", "d", false)]
    [InlineData("[[:nonsense:]]", "n", false)]
    [InlineData("[a", "[a", false)]
    [InlineData("a[", "a[", false)]
    [InlineData(@"\[a", "[a", true)]
    [InlineData(@"[\]]", "]", true)]
    [InlineData(@"\#a", "#a", true)]
    [InlineData("#a", "#a", false)]
    [InlineData(@"\!a", "!a", true)]
    [InlineData(@"a\", "a", false)]
    [InlineData(@"a\", @"a\", false)]
    [InlineData(@"a\*", "a*", true)]
    [InlineData(@"a\*", "ab", false)]
    [InlineData("a  ", "a", true)]
    [InlineData(@"a\ ", "a ", true)]
    [InlineData(@"a\  ", "a ", true)]
    [InlineData("a b", "a b", true)]
    [InlineData("  ", "  ", false)]
    [InlineData("a\r", "a", true)]
    [InlineData("", "a", false)]
    [InlineData("/", "a/", false)]
    [InlineData("!", "a", false)]
    [InlineData("*", "a/b", true)]
    [InlineData("/*", "a/b", false)]
    [InlineData("/*", "a", true)]
    [InlineData("Ä*", "Ähre", true)]
    [InlineData("*.o", ".o", true)]
    [InlineData("FOO", "foo", false)]
    public void A_pattern_means_what_it_means_to_git(string pattern, string path, bool isExcluded) =>
        Assert.Equal(isExcluded, IgnoreRules.None.Enter("", [pattern]).IsExcluded(path.TrimEnd('/'), path.EndsWith('/')));

    [Fact]
    public void The_last_pattern_that_says_something_decides_and_the_inner_file_goes_first()
    {
        IPathRules outer = IgnoreRules.None.Enter("", ["*.log", "!keep.log", "/a/keep.log"]);
        Assert.True(outer.IsExcluded("x.log", false));
        Assert.False(outer.IsExcluded("keep.log", false));
        Assert.True(outer.IsExcluded("a/keep.log", false));

        IPathRules inner = outer.Enter("a", ["!/x.log", "b"]);
        Assert.False(inner.IsExcluded("a/x.log", false));
        Assert.True(inner.IsExcluded("a/c/x.log", false));
        Assert.True(inner.IsExcluded("a/c/b", false));
        Assert.True(inner.IsExcluded("a/keep.log", false));
        Assert.False(outer.IsExcluded("a/x.txt", false));
    }

    [Fact]
    public void A_byte_order_mark_is_no_part_of_the_first_pattern() => Assert.True(IgnoreRules.None.Enter("", ["\uFEFFfoo"]).IsExcluded("foo", false));

    [Theory]
    [InlineData("/home/ana", ".cache/", true)]
    [InlineData("/home/ana", "work/.cache/", false)]
    [InlineData("/home/ana", ".config/Element/Cache/", true)]
    [InlineData("/home/ana", "work/node_modules/", true)]
    [InlineData("/home/ana", "node_modules", false)]
    [InlineData("/home", "ana/.cache/", true)]
    [InlineData("/home", "bob/.cache/", false)]
    [InlineData("/", "home/ana/.cache/", true)]
    [InlineData("/home/ana/.config", "Element/Cache/", true)]
    [InlineData("/home/ana/.config", "Element/Cached/", false)]
    [InlineData("/home/ana/.config/Element", "Cache/", true)]
    [InlineData("/home/ana/.cache", "mozilla/", false)]
    [InlineData("/home/ana/.config/Element/Cache", "x/", false)]
    [InlineData("/srv", "ana/.cache/", false)]
    public void Caches_are_found_where_the_home_directory_lies(string top, string path, bool isExcluded)
    {
        BackupSet set = new() { Name = "s", Paths = [top], Presets = ["caches"] };
        Assert.Equal(isExcluded, IgnoreRules.ForSet(set, top, "/home/ana").IsExcluded(path.TrimEnd('/'), path.EndsWith('/')));
    }

    [Fact]
    public void A_home_with_odd_characters_is_meant_literally()
    {
        BackupSet set = new() { Name = "s", Paths = ["/home"], Presets = ["caches"] };
        Assert.True(IgnoreRules.ForSet(set, "/home", "/home/[ana] *").IsExcluded("[ana] */.cache", true));
        Assert.False(IgnoreRules.ForSet(set, "/home", "/home/[ana] *").IsExcluded("a bob/.cache", true));
    }

    [Fact]
    public void The_sets_own_patterns_go_before_its_presets_and_driveignore_before_both()
    {
        BackupSet set = new() { Name = "s", Paths = ["/d"], Presets = ["caches", "temporary"], Excludes = ["!node_modules/", "*.iso"] };
        IgnoreRules rules = IgnoreRules.ForSet(set, "/d", "/home/ana");
        Assert.False(rules.IsExcluded("a/node_modules", true));
        Assert.True(rules.IsExcluded("a.iso", false));
        Assert.True(rules.IsExcluded("a.tmp", false));
        Assert.False(rules.Enter("a", ["!*.iso"]).IsExcluded("a/b.iso", false));
    }

    [Fact]
    public void A_preset_that_nobody_knows_is_refused_with_those_there_are()
    {
        FormatException refusal = Assert.Throws<FormatException>(() => Preset.Get("everything"));
        Assert.Contains("caches, temporary, trash", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(Preset.Names, string.Join(", ", Preset.All.Select(static preset => preset.Name)));
    }

    [Theory]
    [InlineData("Signature: 8a477f597d28d172789f06886806bc55\n# made by", true)]
    [InlineData("Signature: 8a477f597d28d172789f06886806bc5", false)]
    [InlineData("", false)]
    public void A_cache_is_tagged_by_the_signature_and_not_by_the_name_alone(string content, bool isTag)
    {
        string top = Directory.CreateTempSubdirectory("drive-ignore-").FullName;
        try
        {
            Directory.CreateDirectory(Path.Combine(top, "a", "cache"));
            File.WriteAllText(Path.Combine(top, "a", "cache", "CACHEDIR.TAG"), content);
            IPathRules rules = IgnoreRules.ForSet(new BackupSet { Name = "s", Paths = [top], Presets = ["caches"], Excludes = ["!wanted"] }, top, "/home/ana");
            Assert.False(rules.IsExcluded("a/cache", true));
            Assert.Equal(isTag, rules.IsExcluded("a/cache/x", false));
            Assert.Equal(isTag, rules.Enter("a/cache", []).IsExcluded("a/cache/d", true));
            Assert.False(rules.IsExcluded("a/cache/CACHEDIR.TAG", false));
            Assert.False(rules.IsExcluded("a/cache/wanted", false));
            Assert.False(rules.IsExcluded("a/x", false));
            Assert.False(IgnoreRules.ForSet(new BackupSet { Name = "s", Paths = [top] }, top, "/home/ana").IsExcluded("a/cache/x", false));
        }
        finally
        {
            Directory.Delete(top, recursive: true);
        }
    }

    [Fact]
    public void A_hostile_pattern_takes_no_time()
    {
        string text = new('a', 200);
        IPathRules rules = IgnoreRules.None.Enter("", [string.Concat(Enumerable.Repeat("*a", 30)) + "*b", "/" + string.Concat(Enumerable.Repeat("*a", 20)) + "*b"]);
        long started = TimeProvider.System.GetTimestamp();
        Assert.False(rules.IsExcluded(text, false));
        Assert.True(TimeProvider.System.GetElapsedTime(started) < TimeSpan.FromSeconds(5));
    }
}
