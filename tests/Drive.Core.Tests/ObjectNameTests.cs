using Drive.Core.Stores;

namespace Drive.Core.Tests;

public sealed class ObjectNameTests
{
    [Theory]
    [InlineData("vault")]
    [InlineData("log/0/12")]
    [InlineData("packs/ab/0123456789abcdef")]
    [InlineData("a.b-c")]
    public void Names_of_the_vault_are_allowed(string text)
    {
        Assert.True(ObjectName.IsValid(text));
        Assert.Equal(text, new ObjectName(text).Value);
        Assert.Equal(text, new ObjectName(text).ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("/a")]
    [InlineData("a/")]
    [InlineData("a//b")]
    [InlineData("..")]
    [InlineData("a/../b")]
    [InlineData("a/.b")]
    [InlineData("A")]
    [InlineData("a b")]
    [InlineData("a_b")]
    [InlineData("a\\b")]
    [InlineData("ä")]
    [InlineData("a\0")]
    public void Names_that_climb_fold_or_hide_are_refused(string text)
    {
        Assert.False(ObjectName.IsValid(text));
        Assert.Throws<ArgumentException>(() => new ObjectName(text));
    }

    [Fact]
    public void A_name_has_at_most_100_characters()
    {
        Assert.True(ObjectName.IsValid(new string('a', 100)));
        Assert.False(ObjectName.IsValid(new string('a', 101)));
    }

    [Fact]
    public void A_name_never_set_has_no_value() => Assert.Throws<InvalidOperationException>(() => default(ObjectName).Value);
}
