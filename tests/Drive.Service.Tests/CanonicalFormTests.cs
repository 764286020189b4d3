using System.Globalization;
using Drive.Service.Keys;

namespace Drive.Service.Tests;

public sealed class CanonicalFormTests
{
    // Inputs drawn at random from all characters that have something to compose, and the known hard cases; results by another implementation.
    [Theory]
    [InlineData("20EF F9EC 81B 61 F78 1EB7", "20EF 6EBA 81B 61 FB3 F80 1EB7")]
    [InlineData("1104 1F7B 316 61 1E3C AD0F", "1104 3CD 316 61 1E3C AD0F")]
    [InlineData("2F8EF 4D7 1F30 20DC 1AC8 1EA2", "6B21 4D7 1F30 20DC 1AC8 1EA2")]
    [InlineData("2F9C4 1F5F 1181 1DC1 1E45 11F7", "8863 1F5F 1181 1DC1 1E45 11F7")]
    [InlineData("F90F 2F935 41 41 65 1E5B", "7F85 24C36 41 41 65 1E5B")]
    [InlineData("65 65 82C 1B0A 2F924 D4C", "65 65 82C 1B0A 7280 D4C")]
    [InlineData("11AF F95B 8E0 1B44 F9B6 112C", "11AF 62CF 1B44 8E0 79AE 112C")]
    [InlineData("307C 65 1B70 11CC FB40 1FCB", "307C 65 1B70 11CC 5E0 5BC 389")]
    [InlineData("41 65 61 2F814 34D 1F98", "41 65 61 5167 34D 1F98")]
    [InlineData("1166 1E63 11EE 1E49 41 2F8A8", "1166 1E63 11EE 1E49 41 614E")]
    [InlineData("ACB5 ADD6 1DDA 1DC9 1D1AA 65", "ACB5 ADD6 1DDA 1DC9 1D1AA 65")]
    [InlineData("10F82 1E8D3 F80 2FA04 FB35 2F9E0", "F80 1E8D3 10F82 9929 5D5 5BC 285D2")]
    [InlineData("1F0A 61 F86 ADA1 ACAA 11134", "1F0A 61 F86 ADA1 ACAA 11134")]
    [InlineData("FE2C 8D2 65 1EBD 309E AD34", "FE2C 8D2 65 1EBD 309E AD34")]
    [InlineData("1AC8 FA6C 10F84 F9F6 AC78 1CD6", "1AC8 242EE 10F84 81E8 AC78 1CD6")]
    [InlineData("4EB 65 1EE1 11BA 65 1DC6", "4EB 65 1EE1 11BA 65 1DC6")]
    [InlineData("10D27 16B32 41 ACB7 61 11367", "10D27 16B32 41 ACB7 61 11367")]
    [InlineData("1E94 1F76 5B3 1E949 61 1E75", "1E94 1F76 5B3 1E949 61 1E75")]
    [InlineData("1E52 1C37 41 41 A9B3 825", "1E52 1C37 41 41 A9B3 825")]
    [InlineData("654 65 115C0 1E1 16B34 1E002", "654 65 115C0 1E1 16B34 1E002")]
    [InlineData("FA87 41 3074 AC9F 1E43 2F90C", "614E 41 3074 AC9F 1E43 6EC7")]
    [InlineData("8CE F93C 2F9FD 89D 739 ACB6", "8CE 797F 29496 739 89D ACB6")]
    [InlineData("1F00 FA79 FE2F 8E7 1174 6EA", "1F00 5555 FE2F 8E7 1174 6EA")]
    [InlineData("F97A 1DF2 117A 711 1AB0 1E021", "6881 1DF2 117A 711 1AB0 1E021")]
    [InlineData("70 6C 61 69 6E", "70 6C 61 69 6E")]
    [InlineData("65 301", "E9")]
    [InlineData("75 308", "FC")]
    [InlineData("1100 1161 11A8", "AC01")]
    [InlineData("AC00 11A8", "AC01")]
    [InlineData("212B", "C5")]
    [InlineData("61 323 307", "1EA1 307")]
    [InlineData("61 307 323", "1EA1 307")]
    [InlineData("958", "915 93C")]
    [InlineData("344", "308 301")]
    [InlineData("1E9B 323", "1E9B 323")]
    [InlineData("6F 328 304", "1ED")]
    public void Text_is_put_together_as_the_standard_says(string text, string composed)
    {
        Assert.Equal(Text(composed), CanonicalForm.Compose(Text(text)));
        Assert.Equal(Text(composed), CanonicalForm.Compose(Text(composed)));
    }

    [Fact]
    public void The_runtime_leaves_text_as_it_is_which_is_why_this_exists() => Assert.Equal("e\u0301", "e\u0301".Normalize());

    private static string Text(string points) =>
        string.Concat(points.Split(' ').Select(point => char.ConvertFromUtf32(int.Parse(point, NumberStyles.HexNumber, CultureInfo.InvariantCulture))));
}
