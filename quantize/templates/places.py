"""What "home" is called in a question about where people are; Home Assistant's templates leave such places open."""

AT_HOME: dict[str, tuple[str, ...]] = {
    "af": ("tuis", "die huis"), "ar": ("المنزل", "البيت"), "bg": ("вкъщи", "у дома", "дома"),
    "bn": ("বাড়িতে", "বাড়ি"), "ca": ("casa",), "cs": ("doma",), "cy": ("gartref", "adref"),
    "da": ("hjemme", "hjem"), "de": ("Zuhause", "zu Hause", "daheim", "Haus"),
    "de-CH": ("dihei", "daheim", "Zuhause", "zu Hause"), "el": ("σπίτι",), "en": ("home",), "es": ("casa",),
    "et": ("kodus",), "eu": ("etxean", "etxe"), "fa": ("خانه",), "fi": ("kotona",), "fr": ("maison", "domicile"),
    "ga": ("bhaile", "baile"), "gl": ("casa",), "gu": ("ઘરે", "ઘર"), "he": ("בבית", "בית"), "hi": ("घर",),
    "hr": ("kući", "doma"), "hu": ("otthon", "itthon"), "hy": ("տանը",), "id": ("rumah",), "is": ("heima",),
    "it": ("casa",), "ja": ("家", "自宅"), "ka": ("სახლში",), "kn": ("ಮನೆಯಲ್ಲಿ", "ಮನೆ"), "ko": ("집",),
    "kw": ("dre", "chi"), "lb": ("doheem",), "lt": ("namuose", "namie"), "lv": ("mājās",),
    "ml": ("വീട്ടിൽ", "വീട്"), "mn": ("гэртээ", "гэр"), "ms": ("rumah",), "nb": ("hjemme", "hjem"),
    "ne": ("घरमा", "घर"), "nl": ("thuis", "huis"), "pa": ("ਘਰ",), "pl": ("domu", "w domu"), "pt": ("casa",),
    "pt-BR": ("casa",), "ro": ("acasă", "casă"), "ru": ("дома",), "sk": ("doma",), "sl": ("doma",),
    "sr": ("кући", "код куће"), "sr-Latn": ("kući", "kod kuće"), "sv": ("hemma", "hemmet"), "sw": ("nyumbani",),
    "ta": ("வீட்டில்", "வீடு"), "te": ("ఇంట్లో", "ఇల్లు"), "th": ("บ้าน",), "tr": ("evde", "ev"),
    "uk": ("вдома", "дома"), "ur": ("گھر",), "vi": ("nhà",), "zh-CN": ("家", "家里"), "zh-HK": ("屋企", "家"),
    "zh-TW": ("家", "家裡"),
}  # fmt: skip
