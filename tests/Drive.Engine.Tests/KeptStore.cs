using Drive.Core.Stores;
using Drive.Testing.Stores;

namespace Drive.Engine.Tests;

/// <summary>A store that outlives the volume that was given it: closing it does nothing.</summary>
internal sealed class KeptStore(IObjectStore store) : ForwardingStore(store);
