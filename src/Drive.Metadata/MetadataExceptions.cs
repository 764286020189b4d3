namespace Drive.Metadata;

/// <summary>The database's bytes are damaged: its pages, or a sealed column. Nothing wrong was handed out.</summary>
public sealed class MetadataCorruptException : Exception
{
    public MetadataCorruptException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}

/// <summary>The key given is not the one that the database was made with.</summary>
public sealed class MetadataKeyException : Exception
{
    public MetadataKeyException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}

/// <summary>The database was written by a newer program.</summary>
public sealed class MetadataVersionException : Exception
{
    public MetadataVersionException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
