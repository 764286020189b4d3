namespace Drive.Fuse;

/// <summary>A mount that cannot be made, kept or undone; the message is one line for people that says what to do next.</summary>
public sealed class FuseException(string message, Exception? innerException = null) : Exception(message, innerException);
