using Drive.Engine.Upload;
using Drive.Testing;

namespace Drive.Engine.Tests.Upload;

/// <summary>When changes go at once, and when they wait.</summary>
public sealed class PromptCommitsTests
{
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Prompt = TimeSpan.FromMilliseconds(250);

    private readonly ManualTime _time = new();

    [Fact]
    public void The_first_commits_of_a_burst_go_at_once_and_the_rest_of_it_rests()
    {
        PromptCommits prompt = new(Rest, _time);
        prompt.Take();
        for (int commit = 0; commit < PromptCommits.Most; commit++)
        {
            Assert.Equal(Prompt, prompt.Rest);
            _time.Advance(Prompt);
            prompt.Take();
        }

        Assert.Equal(Rest, prompt.Rest);
        prompt.Take();
        Assert.Equal(Rest, prompt.Rest);
    }

    [Fact]
    public void Commits_that_the_whole_rest_would_have_made_too_go_at_once_for_ever()
    {
        PromptCommits prompt = new(Rest, _time);
        for (int commit = 0; commit < 3 * PromptCommits.Most; commit++)
        {
            Assert.Equal(Prompt, prompt.Rest);
            prompt.Take();
            _time.Advance(Rest);
        }

        Assert.Equal(Prompt, prompt.Rest);
    }

    [Fact]
    public void One_comes_back_after_each_half_minute_and_never_more_than_there_were()
    {
        PromptCommits prompt = new(Rest, _time);
        TakeAll(prompt);
        _time.Advance(PromptCommits.RefillTime - TimeSpan.FromMilliseconds(1));
        Assert.Equal(Rest, prompt.Rest);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(Prompt, prompt.Rest);
        prompt.Take();
        prompt.Take();
        Assert.Equal(Rest, prompt.Rest);

        _time.Advance(TimeSpan.FromDays(1));
        Assert.Equal(Prompt, prompt.Rest);
        TakeAll(prompt);
        Assert.Equal(Rest, prompt.Rest);
        _time.Advance(PromptCommits.RefillTime);
        Assert.Equal(Prompt, prompt.Rest);
    }

    private static void TakeAll(PromptCommits prompt)
    {
        prompt.Take();
        for (int commit = 0; commit < PromptCommits.Most; commit++)
        {
            prompt.Take();
        }
    }
}
