namespace Drive.Security.Tests;

/// <summary>The example in docs/security.md stays true: it is read out of the page, opened a second way, and recovered by the product.</summary>
public sealed class WorkedBytesTests
{
    private const string Begin = "```worked-bytes\n";

    [Fact]
    public async Task The_example_of_the_page_is_a_vault_that_opens_and_each_of_its_fields_is_where_the_page_says()
    {
        string page = await File.ReadAllTextAsync(ThreatTableTests.Page());
        int begin = page.IndexOf(Begin, StringComparison.Ordinal) + Begin.Length;
        Assert.True(begin >= Begin.Length);
        string example = page[begin..page.IndexOf("```", begin, StringComparison.Ordinal)];
        Assert.Null(await WorkedBytes.CheckAsync(example));

        // A page with one digit wrong is found out, whichever it is.
        foreach (int at in Enumerable.Range(0, 60).Select(i => (i * 97) + 200))
        {
            char digit = example[at];
            if (char.IsAsciiHexDigitLower(digit) && example[example.LastIndexOf('\n', at) + 1] == ' ')
            {
                string wrong = example[..at] + (digit == '0' ? '1' : '0') + example[(at + 1)..];
                Assert.True(await FailsAsync(wrong), $"at {at}");
            }
        }
    }

    [Fact]
    public async Task A_new_example_is_true_as_well() => Assert.Null(await WorkedBytes.CheckAsync(await WorkedBytes.MakeAsync()));

    private static async Task<bool> FailsAsync(string example)
    {
        try
        {
            return await WorkedBytes.CheckAsync(example) is not null;
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            return true;
        }
    }
}
