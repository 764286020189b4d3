using Drive.Core.History;

namespace Drive.Core.Tests.History;

public sealed class RetentionRuleTests
{
    [Theory]
    [InlineData("24h,30d,12w,12m,3y", 24, 30, 12, 12, 3)]
    [InlineData("3y,24h", 24, 0, 0, 0, 3)]
    [InlineData(" 7d , 1w ", 0, 7, 1, 0, 0)]
    [InlineData("0h", 0, 0, 0, 0, 0)]
    [InlineData("1000000d", 0, 1_000_000, 0, 0, 0)]
    public void A_rule_is_read_and_written(string text, int hours, int daily, int weekly, int monthly, int yearly)
    {
        RetentionRule rule = RetentionRule.Parse(text);
        Assert.Equal(new RetentionRule(hours, daily, weekly, monthly, yearly), rule);
        Assert.Equal(rule, RetentionRule.Parse(rule.ToString()));
    }

    [Fact]
    public void The_default_and_all_have_their_text()
    {
        Assert.Equal("24h,30d,12w,12m,3y", RetentionRule.Default.ToString());
        Assert.Equal("all", RetentionRule.Everything.ToString());
        Assert.Equal(RetentionRule.Everything, RetentionRule.Parse("all"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("30")]
    [InlineData("d")]
    [InlineData("-1d")]
    [InlineData("30d,30d")]
    [InlineData("30d,")]
    [InlineData("30d,all")]
    [InlineData("1000001d")]
    [InlineData("99999999999d")]
    [InlineData("30D")]
    [InlineData("1.5d")]
    public void What_is_no_rule_is_refused_with_what_to_write(string text) =>
        Assert.Contains("24h,30d,12w,12m,3y", Assert.Throws<FormatException>(() => RetentionRule.Parse(text)).Message, StringComparison.Ordinal);
}
