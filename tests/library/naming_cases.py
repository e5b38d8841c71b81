"""Names as people and groups write them, with what they say. Read by the naming tests."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Case:
    name: str
    episodes: tuple[int, ...] = ()
    season: int | None = None
    absolute: tuple[int, ...] = ()
    label: str | None = None
    date: str | None = None


def seasoned(name: str, season: int, *episodes: int) -> Case:
    return Case(name=name, season=season, episodes=episodes)


def absolute(name: str, *numbers: int) -> Case:
    return Case(name=name, episodes=numbers, absolute=numbers)


SEASONED = [
    seasoned("Show/Season 01/Show - S01E02 - Title [1080p].mkv", 1, 2),
    seasoned("Show.S01E02.1080p.WEB-DL.DD5.1.H.264-GRP.mkv", 1, 2),
    seasoned("show s1e2", 1, 2),
    seasoned("Show S01 E02", 1, 2),
    seasoned("Show - S01 - E02 - Title", 1, 2),
    seasoned("Show.S01.E02.Title", 1, 2),
    seasoned("Show.S01.Ep.02.Title", 1, 2),
    seasoned("Show S01EP02", 1, 2),
    seasoned("Show [S01E02] Title", 1, 2),
    seasoned("Show_S01E02_720p", 1, 2),
    seasoned("grp-shows01e11-1080p", 1, 11),
    seasoned("Show S2016E231", 2016, 231),
    seasoned("Show - S41 E10478 - 2014-08-15", 41, 10478),
    seasoned("Show T02E22", 2, 22),
    seasoned("Show - 1x02 - Title", 1, 2),
    seasoned("Show [01x02]", 1, 2),
    seasoned("Show 1×02", 1, 2),  # noqa: RUF001 - the sign is what is tested
    seasoned("Show S02E01 1920x910", 2, 1),
    seasoned("Show 2010x15", 2010, 15),
    seasoned("Show Season 1 Episode 5 720p", 1, 5),
    seasoned("Show - Saison 2 Épisode 3", 2, 3),
    seasoned("Show Staffel 2 Folge 5", 2, 5),
    seasoned("Show - Temporada 2 [HDTV 720p][Cap.201][AC3 5.1 Castellano]", 2, 1),
    seasoned("Show - Temporada 2 [HDTV][Cap.201_203]", 2, 1, 2, 3),
    seasoned("Show 2nd Season - 24", 2, 24),
    seasoned("[Group] Show S2 - 07 [720p]", 2, 7),
    seasoned("アニメ シーズン2 第3話", 2, 3),
    seasoned("庆余年第十一季 第二十三集", 11, 23),
    seasoned("Show.103.720p.HDTV.X264-GRP", 1, 3),
    seasoned("Show.1013.720p.HDTV.X264-GRP", 10, 13),
    seasoned("Show.2009.416.hdtv-grp", 4, 16),
    seasoned("Show.5of9.Title.DVDRip", 1, 5),
    seasoned("Show Part Two 720p HDTV", 1, 2),
    seasoned("Show SO2E04", 2, 4),
    seasoned("Show Sn4 Ep14", 4, 14),
    seasoned("Show 01E06", 1, 6),
    seasoned("Show.S01.07.AVC", 1, 7),
    seasoned("Show-s03-x01", 3, 1),
    seasoned("Show1x01.HDTV", 1, 1),
    seasoned("[5.01] Title", 5, 1),
    seasoned("Show - 6.01 - Title", 6, 1),
    seasoned("Show - Episode 1.22 - Title", 1, 22),
    seasoned("Show.8.sez.21.ser.iz.23", 8, 21),
    seasoned("Show 5-й сезон 09-я серия", 5, 9),
    seasoned("Show. Сезон №9. Серия №180", 9, 180),
    seasoned("2-06. Title", 2, 6),
    seasoned("Show 03-20.mkv", 3, 20),
    seasoned("show_03_19.avi", 3, 19),
    seasoned("Show-2016-02_04.avi", 2, 4),
    seasoned("3.001.Title.WEBRip.mkv", 3, 1),
    seasoned("Show.S04E03-10.000.metres.mkv", 4, 3),
    Case(name="Show.2016.E04.Title.720p", season=1, episodes=(4,), absolute=(4,)),
]
MULTIPLE = [
    seasoned("Show.S01E01E02.mkv", 1, 1, 2),
    seasoned("Show.S01E01-E03.mkv", 1, 1, 2, 3),
    seasoned("Show.S01E01-03.720p.mkv", 1, 1, 2, 3),
    seasoned("Show.S01E01-02-03.mkv", 1, 1, 2, 3),
    seasoned("Show.S01E01.S01E02.mkv", 1, 1, 2),
    seasoned("Show - S07E22 - 7x23 - Title", 7, 22, 23),
    seasoned("Show S14E00.and.S14E01", 14, 0, 1),
    seasoned("Show S04E05E09", 4, 5, 9),
    seasoned("Show.S03E21.22.HDTV", 3, 21, 22),
    seasoned("Show S03E02.X.1080p", 3, 2),
    seasoned("Show 1x01 to 10 480i", 1, *range(1, 11)),
    seasoned("Show Part 1 and Part 2", 1, 1, 2),
    seasoned("Show Season 1, 2 of 12", 1, 2),
    seasoned("Show.Pt.VI.720p", 1, 6),
    absolute("Show E14E15E16", 14, 15, 16),
    absolute("[Group] Show - 01+02 [720p]", 1, 2),
    absolute("[Group] Show - 01 - 12 [1080p]", *range(1, 13)),
    seasoned("[Group] Show Season 2 - 15 ao 17 [1080p]", 2, 15, 16, 17),
    seasoned("Show 2x04x05", 2, 4, 5),
    seasoned("Show 8x01_02 - Title", 8, 1, 2),
    seasoned("Show [02x01-x02]", 2, 1, 2),
    seasoned("Show.103.104.720p.HDTV", 1, 3, 4),
    seasoned("Show.10708.hdtv-grp", 1, 7, 8),
    seasoned("Show/Season 1/Show 101-103.mkv", 1, 1, 2, 3),
    seasoned("Show - S02E31 - Episode 55", 2, 31),
    seasoned("Show - S06E13 - 5 to 9 [DVD]", 6, 13),
    seasoned("Show.S6.Ep5.X265.Dolby.2.0", 6, 5),
    absolute("[Group] Show - 01-12 [BD][720p]", *range(1, 13)),
    absolute("[Group] Show - 01 ~ 10 [1080p]", *range(1, 11)),
    absolute("[Group] Show 2 - 16-20 [720p]", *range(16, 21)),
    absolute("Show Ep01-12 Complete", *range(1, 13)),
]
ABSOLUTE = [
    absolute("[Group] Show - 12 [ABCD1234].mkv", 12),
    absolute("[Group] Show - 12v2 (1080p) [ABCD1234].mkv", 12),
    absolute("[Group]_Show_-_06_[848x480_H.264_AAC][859EEAFA]", 6),
    absolute("[Group].Show.8.Go!.31.[1280x720].[C65D4B1F].mkv", 31),
    absolute("[Group] Show 2 - 05 [720p].mkv", 5),
    absolute("[Group] Show 214", 214),
    absolute("[Group] Show - 1000 (YTV 1280x720 x264 AAC)", 1000),
    absolute("[Group] 86 - 01 [1080p][D40A9E55].mkv", 1),
    absolute("[Group]Show-01[1280x720][122E6EF8]", 1),
    absolute("[Group] Show (2014) - 017 (115) [1280x720][B2CFBC0F]", 17),
    absolute("Show - 031 - Title [Group].avi", 31),
    absolute("Show Episode 56 [VOSTFR V2][720p]", 56),
    absolute("Show EP06 720p x265", 6),
    absolute("Show #957", 957),
    absolute("Show 69. Bölüm (29.10.2023) 1080p", 69),
    absolute("[Group] Show - 09a (DVD) [49874745].mkv", 9),
    absolute("Show Epizoda 170.flv", 170),
    absolute("Show.1978.(4-ja.serija.iz.4).avi", 4),
    absolute("[Group][Show/Title][46][BIG5](tags:/one/two)", 46),
    absolute("[Group] Show [01Pre][1080p]", 1),
    absolute("[字幕组][Show][02(57)][1080P]", 2),
    absolute("[字幕组][Show][04_卡农曲][1080P]", 4),
    absolute("[字幕组]Show[747][2023.02.25][AVC]", 747),
    absolute("[Group] Show 14 Title Part 2.mp4", 14),
    absolute("第11話.mkv", 11),
    absolute("【字幕组】【Show】[第05话][1080p_HEVC]", 5),
    absolute("[字幕组][Show][2019][02][1080p][HEVC][BIG5]", 2),
    absolute("【字幕组】★10月新番★[哥布林/Show][12END][720p]", 12),
    absolute("[Subz] My Series - １５８ [h264 10-bit]", 158),  # noqa: RUF001 - wide digits
    seasoned("Noein_[01_of_24]_[ru_jp]", 1, 1),
    Case(name="[Group] Show - 12.5 [1080p].mkv", label="12.5"),
    Case(name="[Group]_Show_02.5_[902BB314].mkv", label="2.5"),
]
SPECIAL = [
    seasoned("Show/Specials/Show - 03 - Title.mkv", 0, 3),
    seasoned("Show/Season 00/Show - S00E03.mkv", 0, 3),
    seasoned("Show/OVA/Show OVA - 01.mkv", 0, 1),
    seasoned("[Group] Show - OVA2 [720p].mkv", 0, 2),
    seasoned("[Group] Show - SP1 [720p].mkv", 0, 1),
    seasoned("[Group] Show - 01 - OVA [BD][720p]", 0, 1),
]
DATED = [
    Case(name="Show.2011.04.18.Guest.HDTV", date="2011-04-18"),
    Case(name="Show - 2011-04-12 - Guest", date="2011-04-12"),
    Case(name="Show_04.28.2014_hdtv", date="2014-04-28"),
    Case(name="Show.2012.16.02.PDTV", date="2012-02-16"),
    Case(name="Show.140722.720p.HDTV", date="2014-07-22"),
]
IN_FOLDERS = [
    seasoned("Show/Season 02/Show - 12.mkv", 2, 12),
    seasoned("Show/S2/[Group] Show - 05 [720p].mkv", 2, 5),
    seasoned("Show/Season 1/103 - Title.mkv", 1, 3),
    seasoned("Show/Season 4/Show [401] Title.avi", 4, 1),
    seasoned("Show/Season 1/Show - 05 - 12 Angry Men.mkv", 1, 5),
    seasoned("Show/Season 1/5.mkv", 1, 5),
    seasoned("Show/Season 1/05 - Catch-22.mkv", 1, 5),
    seasoned("Show/Season 1/12 - Episode 9.mkv", 1, 12),
    seasoned("Show/Season 1/09 - 50-50 [1080p].mkv", 1, 9),
    seasoned("Show/Season 3/09 - The 2nd Season.mkv", 3, 9),
    seasoned("Show/Season 1/Show - 05 - 13-17.mkv", 1, 5),
    seasoned("Show/Season 1/12 - 1984.mkv", 1, 12),
    seasoned("Show/Season 3/Show - S03E01 - 3x3.mkv", 3, 1),
    seasoned("Season 2/7 - 12 Angry Men.avi", 2, 7),
    seasoned("Season 2009/S2009x02 blah.avi", 2009, 2),
    seasoned("Show/Season 1/第11話.mkv", 1, 11),
    seasoned("庆余年第二季/01.mp4", 2, 1),
    seasoned("C:\\Test\\Show\\Season 2\\S02E21.avi", 2, 21),
    seasoned("Drop/Show - 10x11 - Title [SDTV]/1011 - Title.avi", 10, 11),
    seasoned("Drop/Show.S01E01.720p.HDTV/abcdefgh_xyz.avi", 1, 1),
    seasoned("Show.S01E01-E10.Complete/Show 05.mkv", 1, 5),
    absolute("Mob Psycho 100/Mob Psycho 100 05.mkv", 5),
    absolute("86/86 - 05.mkv", 5),
    absolute("[Group] Show 00 - 10 (1080p) [ABCD1234].mkv", 10),
    absolute("[Group] Special 7 - 10 (1080p) [ABCD1234].mkv", 10),
    absolute("Area 88/Area.88.-.07.mkv", 7),
    Case(name="Show/Season 1/Show S01E05.5.mkv", label="5.5"),
    absolute("Show/12.mkv", 12),
    absolute("Show/01 - Title.mkv", 1),
]
NUMBERLESS = [
    Case(name="Show Season 2 [1080p]", season=2),
    Case(name="The.100.Season.1.Complete", season=1),
    Case(name="Show - 1a. Temporada", season=1),
    *(
        Case(name=name)
        for name in (
            "Show Season 1-8 Complete",
            "Show Seasons 1 and 2",
            "Show Season 1, 2 & 3",
            "Show Complete Seasons 01 & 02 1080p",
            "Show Movie - 09 - Title - 1080p",
            "Film 1984 (2020) [2160p]",
            "www.site.com - Film (1997) [1080p]",
        )
    ),
] + [
    Case(name=name)
    for name in (
        "Movie.2010.1080p.BluRay.x264-GRP.mkv",
        "[Group]_Show_[BD][h264-720p][TrueHD5.1][9F311DAB].mkv",
        "Evangelion_1.11_You_Are_(Not)_Alone_(2009)_[1080p,BluRay,x264,DTS-ES].mkv",
        "[Group] Show No.6 (DVD, R2, Dual Audio)",
        "5_centimeters_per_second[1904x1072.h264.flac].mkv",
        "Vol.01",
        "Mob Psycho 100/Mob Psycho 100.mkv",
        "random file.mkv",
        "Show/Season 01/Show.mkv",
        "...",
        "",
    )
]
EXTRA = [
    "Show/extras/a.mkv",
    "Show/Season 01/Featurettes/Making Of.mkv",
    "Show/@eaDir/Show - S01E01.mkv",
    "Show/.hidden/Show - S01E01.mkv",
    "Show/Season 1/trailer.mkv",
    "Show/Show-trailer.mkv",
    "Show/Show - S01E01-behindthescenes.mkv",
    "Show.S01E01.720p-grp.sample.mkv",
    "sample-show.s01e01.mkv",
    "[Group] Show - NCOP1 [1080p].mkv",
    "[Group]_Show_ED2_(704x480)_[3B65D1E6].mkv",
    "[Group] Show - PV [CA57F300].mkv",
]
ALL = [*SEASONED, *MULTIPLE, *ABSOLUTE, *SPECIAL, *DATED, *IN_FOLDERS, *NUMBERLESS]
