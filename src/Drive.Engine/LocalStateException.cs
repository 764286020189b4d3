namespace Drive.Engine;

/// <summary>
/// The state on this machine is damaged, or older than what this device has sent: it cannot be gone on with as it is. Nothing was changed. It is rebuilt from the
/// store and the dirty log, see docs/local-state.md.
/// </summary>
public sealed class LocalStateException(string message, Exception? innerException = null) : Exception(message, innerException);
