namespace Drive.Service.Checks;

/// <summary>How a check came out.</summary>
public enum Verdict
{
    /// <summary>As it should be.</summary>
    Ok,

    /// <summary>Works, but the user should know.</summary>
    Warn,

    /// <summary>Something will not work.</summary>
    Fail,
}

/// <summary>One finding of the doctor.</summary>
/// <param name="Subject">What was looked at: "fuse", "clock".</param>
/// <param name="Verdict">How it is.</param>
/// <param name="Finding">What was seen.</param>
/// <param name="Advice">What to do, when not ok.</param>
public sealed record Check(string Subject, Verdict Verdict, string Finding, string? Advice)
{
    /// <summary>All is well.</summary>
    internal static Check Ok(string subject, string finding) => new(subject, Verdict.Ok, finding, null);

    /// <summary>Works, but.</summary>
    internal static Check Warn(string subject, string finding, string advice) => new(subject, Verdict.Warn, finding, advice);

    /// <summary>Does not work.</summary>
    internal static Check Fail(string subject, string finding, string advice) => new(subject, Verdict.Fail, finding, advice);
}
