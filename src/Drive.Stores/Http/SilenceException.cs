namespace Drive.Stores.Http;

/// <summary>A connection on which nothing moved any more, and which was given up for that.</summary>
internal sealed class SilenceException(string message, Exception? innerException = null) : IOException(message, innerException)
{
    /// <summary>What to say of a failure: that a connection was silent if that is at its root, else its own words.</summary>
    public static string Reason(Exception error)
    {
        for (Exception? cause = error; cause is not null; cause = cause.InnerException)
        {
            if (cause is SilenceException)
            {
                return cause.Message;
            }
        }

        return error.Message;
    }
}
